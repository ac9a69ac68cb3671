# Makes synthetic encounters and sends them; the same seed makes the same ones, which are taken in once.
set -e
rm -rf /tmp/stories
python -m simulator.ehr --seed 7 --count "${DEMO_COUNT:-20}" --out /tmp/stories
rm -f /var/lib/throughline/stack.json  # the line's address may be another than last time
exec sh /compose/throughline.sh submit /tmp/stories --wait 240
