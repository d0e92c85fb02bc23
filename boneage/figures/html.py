"""HTML from the templates in `templates/`; whatever they fill in is escaped.

Templates set colors and sizes inline and inherit the text color, so they follow the app's theme.
"""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from boneage.figures import palette

_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).with_name("templates")),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.globals["palette"] = palette


def macros(name: str) -> Any:
    """The macros of a template as functions; they return HTML that no template escapes again."""
    return _TEMPLATES.get_template(f"{name}.html").module


def page(name: str, **values: object) -> str:
    """A whole page of HTML from the template of this name."""
    return _TEMPLATES.get_template(f"{name}.html").render(values)
