# The throughline command in a container: makes it known to the line first, then runs it.
set -e
folder=/var/lib/throughline
test -f $folder/stack.json || python -m cli connect --folder $folder --fhir "$FHIR_URL" --submit \
  --interface-engine interface-engine:50051 --journey journey:50051 --remittance remittance:50051
command=${1:?give a command: submit, status, journey, client, ...}
case $command in
  # these have commands of their own, which take the folder behind them
  journey|kpi|client|message|channel|person) group=$1; shift; exec python -m cli "$group" "$@" --folder $folder ;;
  *) exec python -m cli "$@" --folder $folder ;;
esac
