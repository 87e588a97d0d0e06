#!/bin/sh
# ca.sh FOLDER: certificates for tests, made now: ca.pem and what it has signed, server.pem
# with server.key (localhost, 127.0.0.1) and else.pem with else.key (another host).
set -eu
cd "$1"

new_key()
{
    openssl ecparam -name prime256v1 -genkey -noout -out "$1"
}

signed()
{
    new_key "$1.key"
    openssl req -new -key "$1.key" -subj "/CN=$1" -out "$1.csr"
    printf 'subjectAltName=%s\n' "$2" >"$1.ext"
    openssl x509 -req -in "$1.csr" -CA ca.pem -CAkey ca.key -set_serial "$3" -days 2 \
        -extfile "$1.ext" -out "$1.pem"
}

exec >/dev/null 2>ca.log
new_key ca.key
openssl req -x509 -new -key ca.key -subj "/CN=errand test CA" -days 2 -out ca.pem
signed server "DNS:localhost,IP:127.0.0.1" 1
signed else "DNS:else.example.com" 2
