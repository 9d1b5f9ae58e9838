"""网络边界 The edge: listeners, limits, HTTP statuses and the pages for operations."""
