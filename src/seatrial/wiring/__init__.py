"""The one place that picks concrete parts and puts processes together from them."""
