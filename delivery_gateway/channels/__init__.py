"""One file a channel. Each ends with its SPEC, which `delivery_gateway.registry` lists."""
