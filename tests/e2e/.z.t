. "$(dirname "$0")/../services.sh"
SEVER=/tmp/cc/build/sever
export TERM=xterm
services_up && sshd_up
talk again ssh_to alice $B -tt $HOST "$GREETING; exec tmux -L t new sleep 1000"
greeted again
end=$(($(date +%s) + 100)); n=0
while [ $(date +%s) -lt $end ]; do
	sever_run list sessions --json --user alice
	n=$((n+1))
	grep "\"audit:$(session again)\"" "$OUT" | grep -q "\"client\":\"$B\".*\"transports\":1" || { echo "bad $n"; cat "$OUT" "$ERR"; }
done
echo runs $n
