"""Files in and out: YAML with the line of every key, folders that appear whole or not at all."""
