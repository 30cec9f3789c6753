"""The MCP server: Claude hands bulk work to other models, and only the answer enters its context.

`offers` are the tools as the configuration has them, `attachments` the files they read, `asking`
one request, `pages` what does not fit into one result, `server` the protocol.
"""

NAME = "local-models"  # of the server: Claude calls mcp__local-models__ask_local_llama
