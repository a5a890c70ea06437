# Reads a journal: one line for each win of a race, with its patch, base, what became of it, its gain in percent, the pairs of the
# race, the swapped pairs, and the seconds that the confirmation took.
def seconds: (.[0:19] + "Z" | fromdateiso8601) + ("0" + .[19:-1] | tonumber);
def file: (.source.queue // .source.try) | sub(".*/"; "");
. as $all
| [.[] | select(.type == "proposed") | {key: "\(.experiment)", value: file}] | from_entries as $patches
| $all[]
| select(.type == "decided" and .comparison.verdict == "improved" and (.status == "keep" or .reason == "inconclusive"))
| . as $win
| [$all[] | select(.experiment == $win.experiment and .swapped == true)] as $swapped
| [$all[] | select(.experiment == $win.experiment and .phase == "confirm")] as $confirm
| [ $patches["\(.experiment)"], .tip, (if .status == "keep" then "kept" else "stopped" end),
    (10000 * .comparison.primary.mu | round / 100), .comparison.primary.pairs, ($swapped | length),
    (if $confirm == [] then 0 else (10 * ((.at | seconds) - ($confirm[0].at | seconds)) | round / 10) end) ]
| @tsv
