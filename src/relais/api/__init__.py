"""The customer HTTP API: JSON in, `Submission`s to the pipeline, answers and problems out. No business rule, no SQL."""
