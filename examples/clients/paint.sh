#!/bin/sh
# Paint a photo, and name a digit, with nothing but curl.
#
#     sh examples/clients/paint.sh examples/photos/coffee.jpg painted.jpg
#
# Another server: IMPASTO=https://example.org; a token: IMPASTO_TOKEN=...
set -eu
photo=$1
painting=$2
server=${IMPASTO:-http://127.0.0.1:8000}

ask() {
    if [ -n "${IMPASTO_TOKEN:-}" ]; then
        curl --silent --show-error --fail-with-body -H "Authorization: Bearer $IMPASTO_TOKEN" "$@"
    else
        curl --silent --show-error --fail-with-body "$@"
    fi
}

ask "$server/v2/health/ready"
ask "$server/v1/styles"
ask "$server/v1/stylize?style=great_wave&size=512&format=jpeg" --data-binary "@$photo" -o "$painting"
ask "$server/v1/classify?model=lenet5&top=1" -F "picture=@$photo"
ask -G "$server/v1/shapes" --data-urlencode "net=1x28x28 | conv 8@3x3 s2 same | relu | flatten | fc 10"
echo "$painting"
