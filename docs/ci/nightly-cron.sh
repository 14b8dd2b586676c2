#!/usr/bin/env bash
# A night from cron: says nothing unless somebody should know, because cron mails what is said.
#
#   MAILTO=performance@example.com
#   17 2 * * *  /srv/performance/nightly-cron.sh /srv/performance
#
# The folder has the plan, the history, the runs, and the toolkit in .venv. A night that is still
# running is no reason to begin another one: the second is refused by the lock of the first.
set -euo pipefail

cd "${1:?usage: nightly-cron.sh FOLDER}"
PATH="$PWD/.venv/bin:$PATH"
PLAN=${PLAN:-profiles/nightly.yaml}
HISTORY=${HISTORY:-nightly-history}

mkdir -p night
code=0
reports nightly "$PLAN" --yes --history "$HISTORY" \
  --export html=night/report.html --export junit=night/junit.xml \
  --export md=night/summary.md --export json=night/result.json \
  --export badge=night/badge.json >night/log.txt 2>&1 || code=$?

case "$code" in
  0 | 4) exit "$code" ;; # passed, or inconclusive: the report has it
  1) echo "A step ended in an error or without a result." ;;
  2) echo "The plan or its options are wrong: nothing was run." ;;
  3) echo "A budget does not hold, or a regression is confirmed." ;;
  5) echo "The measurement is invalid: it says nothing about the service." ;;
  6) echo "A guard refused a step: cost, host, or a function that is in use." ;;
  *) echo "The night ended early, with exit code $code." ;;
esac
echo "$PWD/night/report.html; the log ends with:"
tail -n 20 night/log.txt
exit "$code"
