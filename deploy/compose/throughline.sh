# The throughline command in a container: makes it known to the line first, then runs it.
set -e
folder=/var/lib/throughline
test -f $folder/stack.json || python /compose/connect.py $folder "$FHIR_URL"
command=${1:?give a command: submit, status, journey, client, ...}
case $command in
  # these have commands of their own, which take the folder behind them
  journey|kpi|client|message|channel|person) group=$1; shift; exec python -m cli "$group" "$@" --folder $folder ;;
  *) exec python -m cli "$@" --folder $folder ;;
esac
