"""HTML whose buttons a page listens to: a table whose rows can be clicked, also by keyboard."""

_CSS = """
button {
  all: unset; cursor: pointer;
  text-decoration: underline dotted; text-underline-offset: 0.2em;
}
button:hover { text-decoration-style: solid; }
button:focus-visible { outline: 2px solid; outline-offset: 2px; }
"""
_JS = """
export default function ({ data, parentElement, setTriggerValue }) {
  const place = parentElement.querySelector(".clickable");
  // What has not changed stays as it is, with the focus.
  if (place.shown !== data.html) place.innerHTML = place.shown = data.html;
  place.onclick = ({ target }) => {
    const button = target.closest("button");
    if (button) setTriggerValue("clicked", button.value);
  };
}
"""
# For `st.components.v2.component`; its data is {"html": ...}, its trigger "clicked" the value of
# the button clicked.
CLICKABLE = {"html": '<div class="clickable"></div>', "css": _CSS, "js": _JS}
