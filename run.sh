# each line run in sequence on one kubeconfig
cp base config
while IFS= read -r line; do
  [ -z "$line" ] && continue
  if [ "$line" = RESET ]; then cp base config; continue; fi
  echo "\$ $line"
  eval "KUBECONFIG=/tmp/mine/kc/config HOME=/tmp/mine/kc kubectl $line" </dev/null 2>&1 | head -${N:-14}; echo "[${PIPESTATUS[0]}]"
done
