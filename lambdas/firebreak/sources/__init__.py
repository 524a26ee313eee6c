"""One file per source of findings. Each declares its event pattern and turns events into findings."""
