# Reads the lines of run.sh: what each session kept and cost, and of its wins which are true, which are luck of the build and
# which are none in a fresh build, kept and stopped.
BEGIN { FS = "\t"; delta0 = 50 * min_effect }
$1 == "session" { sessions[$3]++; seconds[$3] += $4; candidates[$3] += $5; runs[$3] += $6 }
$1 == "win" {
  gain = $4 ~ /gain/
  if (gain) kind = "true"; else if ($10 == "") kind = "moved"; else { split($10, own, " "); kind = own[1] + 0 > delta0 ? "built in" : "gone" }
  wins[$3, kind, $5]++
  if ($3 == "on") { swapped += $8; confirming += $9; confirmations++ }
  if ($10 != "") {
    count = split($10, at, " ")
    for (i = 2; i <= count; i++) { other[kind]++; if (at[i] + 0 < delta0) lost[kind]++ }
  }
}
END {
  for (confirm in sessions)
    printf "confirm %s: %d sessions, %d candidates, %d s, %d bench runs of pairs\n", confirm, sessions[confirm], candidates[confirm], seconds[confirm], runs[confirm]
  print "confirm, kind: kept, stopped"
  split("true,moved,built in,gone", kinds, ",")
  for (confirm in sessions) for (k = 1; k in kinds; k++)
    printf "%s, %s: %d, %d\n", confirm, kinds[k], wins[confirm, kinds[k], "kept"], wins[confirm, kinds[k], "stopped"]
  if (confirmations) printf "%d confirmations: %.1f swapped pairs and %.1f s each\n", confirmations, swapped / confirmations, confirming / confirmations
  for (kind in other) printf "at another layout: %d of %d measurements of %s wins show less than half the minimum effect\n", lost[kind], other[kind], kind
}
