# bash completion for roster(1): verbs, options, and the clusters and members of
# the registry that the line or the environment names.

# The options of the line that say which registry.
_roster_where() {
    local i
    where=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
        -z | --servers | -r | --root) where+=("${COMP_WORDS[i]}" "${COMP_WORDS[i + 1]}") ;;
        esac
    done
}

_roster_clusters() {
    command roster "${where[@]}" list --timeout 1s 2> /dev/null | awk 'NR > 1 { print $1 }'
}

_roster_members() {
    command roster "${where[@]}" show "$1" --json --timeout 1s 2> /dev/null |
        grep -o '{"name": "[^"]*"' | cut -d'"' -f4
}

_roster() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
    local verbs='list show watch route explain drain undrain weight hold release accept forget protect help version'
    local common='--servers --root --verbose --help --version'
    local i verb='' operands=() where choices=''
    COMPREPLY=()
    case $before in
    -z | --servers | -t | --timeout | -n | --count | --max-lag | --max-lag-bytes | --max-age | -r | --root | --registry | --wait) return ;;
    --cache) mapfile -t COMPREPLY < <(compgen -d -- "$word") && return ;;
    -c | --config) mapfile -t COMPREPLY < <(compgen -f -- "$word") && return ;;
    --policy) mapfile -t COMPREPLY < <(compgen -W 'round-robin random weighted' -- "$word") && return ;;
    esac
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
        -z | --servers | -r | --root | -t | --timeout | -n | --count | --policy) ((i++)) ;;
        --max-lag | --max-lag-bytes | --max-age | --cache | --registry | --wait | -c | --config) ((i++)) ;;
        -*) ;;
        *) if [ -z "$verb" ]; then verb=${COMP_WORDS[i]}; else operands+=("${COMP_WORDS[i]}"); fi ;;
        esac
    done
    _roster_where
    case $word in
    -*)
        case $verb in
        show) choices='--timeout --cache --json' ;;
        watch) choices='--cache --json --primary' ;;
        route) choices='--timeout --cache --count --policy --max-lag --max-lag-bytes --max-age --strict --fallback' ;;
        drain | undrain | weight | hold | release) choices='--timeout --force --wait' ;;
        accept) choices='--timeout --force --wait --replace --registry' ;;
        list | explain | forget) choices='--timeout' ;;
        protect) choices='--timeout --config --apply --force' ;;
        esac
        choices="$choices $common"
        ;;
    *)
        case $verb:${#operands[@]} in
        :*) choices=$verbs ;;
        help:0) choices=$verbs ;;
        list:* | version:* | protect:*) ;;
        *:0) choices=$(_roster_clusters) ;;
        route:1) choices='write read' ;;
        drain:1 | undrain:1 | weight:1 | hold:1 | accept:1) choices=$(_roster_members "${operands[0]}") ;;
        weight:2) choices=default ;;
        esac
        ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$choices" -- "$word")
}

complete -F _roster roster
