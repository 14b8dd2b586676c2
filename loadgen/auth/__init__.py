"""Who a run is to the API: credentials fetched by the parent, and headers made by injectors."""
