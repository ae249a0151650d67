# Completes `coordinator` by what its own help says.
_coordinator() {
  local program=$1 word=$2 before=$3 help words=''
  COMPREPLY=()
  if [ "$COMP_CWORD" = 1 ]; then
    mapfile -t COMPREPLY < <(compgen -W "$("$program" --help 2>/dev/null | sed -n 's/^  \([a-z][a-z-]*\)  .*/\1/p')" -- "$word")
    return
  fi
  case $before in
    --config | --env-file | --runtime-dir | --file | --key) compopt -o default && return ;;
  esac
  help=$("$program" "${COMP_WORDS[1]}" --help 2>/dev/null)
  # dlq list|show|...
  if [ "$COMP_CWORD" = 2 ]; then
    words=$(sed -n 's/^usage: *[a-z]* [a-z-]* \([a-z-]*|[a-z|-]*\).*/\1/p' <<<"$help" | tr '|' ' ')
  fi
  words+=" --help $(grep -oE -e '--[a-z][a-z-]*' <<<"$help" | sort -u)"
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}
complete -F _coordinator coordinator
