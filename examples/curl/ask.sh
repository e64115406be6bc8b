#!/bin/sh
# One question, answered at once or as it comes.
#
#   examples/curl/ask.sh "What is the capital of France?"
#   examples/curl/ask.sh --stream "Count to ten."
set -eu

base_url=${CODEX_NATIVE_API_BASE_URL:-http://127.0.0.1:43182/v1}
stream=false
if [ "${1:-}" = --stream ]; then
  stream=true
  shift
fi
question=${*:-What is the capital of France?}

# As a JSON string: without control characters, and with quotes and backslashes escaped.
input=$(printf %s "$question" | tr '[:cntrl:]' ' ' | sed 's/[\\"]/\\&/g')
body=$(printf '{"instructions": "Answer in one sentence.", "input": "%s", "stream": %s}' "$input" "$stream")

# --no-buffer shows the events of a stream as they come; --fail-with-body shows a fault and ends with an error.
# If the service asks for a token, add: --header "authorization: Bearer $TOKEN"
exec curl --silent --show-error --no-buffer --fail-with-body "$base_url/responses" \
  --header 'content-type: application/json' \
  --data-raw "$body"
