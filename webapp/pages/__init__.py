"""The console over HTTP: one room a blueprint. Views parse, call one core function, commit and answer."""
