"""What every benchmark script shares: servers, a small client, arguments and reports."""
