"""Numbers in, images out: Plotly figures, radiographs with colors, small HTML. No Streamlit."""
