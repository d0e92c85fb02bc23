"""Numbers in, pictures out: Plotly figures, radiographs with colours, small HTML. No Streamlit."""
