"""One file per enricher. Each looks up, under the observer role, what a finding leaves out."""
