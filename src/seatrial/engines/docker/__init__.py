"""Docker and Podman, through the API that both speak."""
