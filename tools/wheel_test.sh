#!/bin/sh
# Build the wheel, install it in an empty environment, and ask one question in an empty folder.
set -eu
python=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$python" -m build --wheel --outdir "$work/dist" . >"$work/build.log" 2>&1 || { cat "$work/build.log"; exit 1; }
"$python" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check "$work"/dist/*.whl
mkdir "$work/empty"
cd "$work/empty"
LLMKG_HOME="$work/home" "$work/venv/bin/llmkg" query derivatives --of LLaMA >"$work/answer"
grep -q "https://w3id.org/llmkg/model/alpaca	Alpaca" "$work/answer"
test -z "$(ls -A "$work/empty")"
LLMKG_HOME="$work/home" "$work/venv/bin/llmkg" verify
echo "the wheel answers: $(wc -l <"$work/answer") rows"
