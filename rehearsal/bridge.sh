#!/bin/sh
# bridge.sh FOLDER COMMAND...   runs a command on the nodes' bridge of the rehearsal cluster in that folder, such as tcpdump -i lan0
# The rules of `nft -f -` are kept: the bridge goes with the agent's process, and is made anew with it, before any node is plugged in.
# A shell script, since an update runs it some thirty times, and Node.js takes longer to start than nft to answer.
set -eu
# Processes are recognised by their path, so it must be the same by whatever link a run came.
if ! folder=$(cd "$1" 2>&- && pwd -P) || ! [ -x "$folder/bin/wirecloak-agent" ]; then
  echo "there is no rehearsal cluster in $1; make up STACK=rehearsal" >&2
  exit 1
fi
shift
given="$*"
# Nothing else of our environment, as for all that the rehearsal starts.
set -- env -i "PATH=$PATH" "HOME=${HOME-/}" "TMPDIR=${TMPDIR-/tmp}" "LANG=${LANG-C}" "$folder/bin/wirecloak-agent" outside --dir "$folder" -- "$@"
if [ "$given" != "nft -f -" ]; then exec "$@"; fi
rules=$folder/bridge.nft.$$
trap 'rm -f "$rules"' EXIT
umask 077
cat >"$rules"
"$@" <"$rules"
mv "$rules" "$folder/bridge.nft"
