#!/usr/bin/env bash
# Writes the patches of one session into a folder: COUNT that only move code or data, and three that truly gain.
#   candidates.sh FOLDER COUNT SEED
set -euo pipefail
folder="$1" count="$2" RANDOM="$3"
sizes=(16 32 48 80 112 176 240 400 720 1040 1584 2064 4112 9 33 77)
kernels=(20-crc 30-tokens 40-machine 50-sorted 60-stencil 70-steps)

new_file() { # NUMBER KIND FILE LINE
  printf -- '--- /dev/null\n+++ b/%s\n@@ -0,0 +1 @@\n+%s\n' "$3" "$4" > "$folder/$1-$2.patch"
}

changed_line() { # NUMBER KIND FILE LINE-NUMBER OLD NEW
  printf -- '--- a/%s\n+++ b/%s\n@@ -%s +%s @@\n-%s\n+%s\n' "$3" "$3" "$4" "$4" "$5" "$6" > "$folder/$1-$2.patch"
}

moved_file() { # NUMBER FROM TO
  printf 'diff --git a/%s b/%s\nsimilarity index 100%%\nrename from %s\nrename to %s\n' "$2" "$3" "$2" "$3" \
    > "$folder/$1-link-order.patch"
}

true_gain() { # NUMBER PERCENT FILE ROUNDS
  changed_line "$1" "gain-$2" "90-waste-$3.c" 3 "const uint32_t waste_$3 = $4;" "const uint32_t waste_$3 = 1;"
}

links=0
for number in $(seq 1 "$count"); do
  name="$(printf '%03d' "$number")"
  size="${sizes[RANDOM % ${#sizes[@]}]}"
  place="$((15 + 10 * (RANDOM % 7)))"
  case $((number % 10)) in
    1|2|4|5|8) new_file "$name" code "$place-unused-$name.c" "__asm__(\".text\\nunused_$name:\\n.skip $size, 0x90\");" ;;
    3) new_file "$name" data "$place-room-$name.c" "char room_$name[$size] = {1};" ;;
    7) new_file "$name" zeroes "$place-room-$name.c" "char room_$name[$size];" ;;
    6|0)
      # Each kernel moves at most once in a session, so that the patches go together.
      kernel="${kernels[links % 6]}"
      [ "$links" -lt 6 ] && moved_file "$name" "$kernel.c" "$((12 + 10 * (RANDOM % 8)))-${kernel#*-}.c"
      links=$((links + 1)) ;;
    9)
      arm="$([ "$number" -lt 10 ] && echo a || echo b)"
      changed_line "$name" stack "92-enter-$arm.c" 2 "enum { ROOM = 16 };" "enum { ROOM = $((16 + size)) };" ;;
  esac
done
true_gain "$(printf '%03d' $((count / 4)))a" 2 a 7000
true_gain "$(printf '%03d' $((count / 2)))a" 3 b 10500
true_gain "$(printf '%03d' $((count * 3 / 4)))a" 10 c 35000
