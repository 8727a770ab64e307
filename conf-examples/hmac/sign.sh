#!/bin/sh
# Signs a request to the gateway: prints the Authorization header.
#
#   sign.sh --key FILE --device ID [options] TARGET
#   sign.sh --check vectors.json
#
# Options: --method (POST) --timestamp (now) --epoch --seq --class --time --type
# --encoding, each as the request will carry it; --body FILE or - (none: empty);
# --text prints the string to sign.  FILE of --key holds the base64url that
# gateway-devices printed.  Needs openssl and what every POSIX system has.
#
# HMAC is put together from two hashes (RFC 2104), as "openssl dgst -macopt"
# wants the key as an argument, which every user of the machine can read.

set -eu

LC_ALL=C
export LC_ALL

scheme=Gateway-HMAC-SHA256
lf='
'

fail() {
    echo "sign.sh: $1" >&2
    exit 2
}

# base64url without padding, from standard input to standard output

decode() {
    b64=$(tr -- '-_' '+/' | tr -d ' \r\n')

    case $((${#b64} % 4)) in
        2)  b64=$b64== ;;
        3)  b64=$b64= ;;
    esac

    printf '%s\n' "$b64" | fold -w 64 | openssl base64 -d
}

encode() {
    openssl base64 -A | tr -- '+/' '-_' | tr -d '='
}

# the lines in front of the body

head_lines() {
    for line in "$scheme" "$method" "$target" "$device" "$timestamp" \
                "$epoch" "$seq" "$class" "$time" "$type" "$encoding"
    do
        case $line in
            *"$lf"* | *"$cr"*)  fail "a line break inside of a member" ;;
        esac

        printf '%s\n' "$line"
    done
}

cr=$(printf '\r')

body_bytes() {
    case $body in
        '')  ;;
        -)   cat ;;
        *)   cat -- "$body" ;;
    esac
}

# the key XOR 0x36 and XOR 0x5c, 64 bytes each, as escapes of printf

pads() {
    inner=
    outer=
    n=0

    for b in $(decode | od -An -v -tu1); do
        n=$((n + 1))
        octal $((b ^ 54))
        inner=$inner$octal
        octal $((b ^ 92))
        outer=$outer$octal
    done

    if [ "$n" -lt 32 ] || [ "$n" -gt 64 ]; then
        fail "a key has 32 to 64 bytes"
    fi

    while [ "$n" -lt 64 ]; do
        n=$((n + 1))
        inner=$inner'\0066'
        outer=$outer'\0134'
    done
}

octal() {
    octal='\0'$(($1 / 64))$(($1 / 8 % 8))$(($1 % 8))
}

# the signature of standard input

sign() {
    {
        printf '%b' "$outer"
        { printf '%b' "$inner"; cat; } | openssl dgst -sha256 -binary
    } | openssl dgst -sha256 -binary | encode
}


# Without a parser of JSON: vectors.json has a member a line and no escapes but
# the line feeds of "text".

member() {
    line=${line#*\": \"}
    line=${line%,}
    value=${line%\"}
}

check() {
    n=0
    bad=0

    while IFS= read -r line; do
        case $line in
            *'"name": '*)       member; name=$value ;;
            *'"key": '*)        member; key=$value ;;
            *'"method": '*)     member; method=$value ;;
            *'"target": '*)     member; target=$value ;;
            *'"device": '*)     member; device=$value ;;
            *'"timestamp": '*)  member; timestamp=$value ;;
            *'"epoch": '*)      member; epoch=$value ;;
            *'"seq": '*)        member; seq=$value ;;
            *'"class": '*)      member; class=$value ;;
            *'"time": '*)       member; time=$value ;;
            *'"type": '*)       member; type=$value ;;
            *'"encoding": '*)   member; encoding=$value ;;
            *'"body": '*)       member; encoded=$value ;;
            *'"text": '*)       member; text=$value ;;
            *'"signature": '*)  member; check_one "$value" ;;
        esac
    done < "$1"

    [ "$n" -gt 0 ] || fail "$1: no vector"

    return $bad
}

check_one() {
    n=$((n + 1))
    pads <<END
$key
END
    signature=$({ head_lines; printf '%s\n' "$encoded" | decode; } | sign)

    # the dot keeps the line feeds in front of it
    if [ "$signature" = "$1" ] \
       && [ "$(head_lines; echo .)" = "$(printf '%b.' "$text")" ]
    then
        echo "ok $name $signature"
    else
        echo "not ok $name $signature"
        bad=1
    fi
}


method=POST
timestamp=$(date +%s)
device='' epoch='' seq='' class='' time='' type='' encoding=''
target='' body='' key='' only_text=no

while [ $# -gt 0 ]; do
    case $1 in
        --text)
            only_text=yes
            shift
            continue ;;
        --*)
            [ $# -gt 1 ] || fail "$1 wants a value" ;;
        *)
            [ -z "$target" ] || fail "more than one TARGET"
            target=$1
            shift
            continue ;;
    esac

    case $1 in
        --check)      check "$2"; exit ;;
        --key)        key=$2 ;;
        --method)     method=$2 ;;
        --device)     device=$2 ;;
        --timestamp)  timestamp=$2 ;;
        --epoch)      epoch=$2 ;;
        --seq)        seq=$2 ;;
        --class)      class=$2 ;;
        --time)       time=$2 ;;
        --type)       type=$2 ;;
        --encoding)   encoding=$2 ;;
        --body)       body=$2 ;;
        *)            fail "what is $1?" ;;
    esac

    shift 2
done

if [ -z "$device" ] || [ -z "$target" ] || [ -z "$key" ]; then
    fail "--key, --device and TARGET are needed"
fi

case $body in
    '' | -)  ;;
    *)       [ -r "$body" ] || fail "cannot read $body" ;;
esac

# in a pipe a failure would go unseen
head_lines > /dev/null

if [ $only_text = yes ]; then
    head_lines
    body_bytes
    exit
fi

pads < "$key"
signature=$({ head_lines; body_bytes; } | sign)
[ ${#signature} = 43 ] || fail "openssl gave no signature"

printf 'Authorization: %s device="%s", timestamp="%s", signature="%s"\n' \
    "$scheme" "$device" "$timestamp" "$signature"
