#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Makes the certificates of the tests, which are checked in so that a simulated
# run replays. Valid from 2020 to 2120. Run it in an empty folder.

set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

key_ec=(-newkey ec -pkeyopt ec_paramgen_curve:prime256v1)
key_rsa=(-newkey rsa:2048)

# sign NAME EXTENSIONS ENDDATE ARGUMENTS...
sign() {
  local name=$1 extensions=$2 end=$3
  shift 3
  : >"$work/index.txt"
  cat >"$work/config" <<END
[ca]
default_ca = signer
[signer]
database = $work/index.txt
new_certs_dir = $work
rand_serial = yes
default_md = sha256
policy = policy
unique_subject = no
x509_extensions = extensions
[policy]
commonName = supplied
[extensions]
$extensions
END
  openssl ca -batch -notext -config "$work/config" -startdate 20200101000000Z -enddate "$end" -in "$work/request" \
    -out "$name.pem" "$@"
}

# request NAME SUBJECT KEY...
request() {
  local name=$1 subject=$2
  shift 2
  openssl req "$@" -nodes -subj "/CN=$subject" -keyout "$name.key" -out "$work/request"
}

# authority NAME SUBJECT
authority() {
  request "$1" "$2" "${key_ec[@]}"
  sign "$1" $'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash' \
    21191231235959Z -selfsign -keyfile "$1.key"
}

# leaf NAME AUTHORITY SUBJECT NAMES ENDDATE KEY...
leaf() {
  local name=$1 authority=$2 subject=$3 names=$4 end=$5
  shift 5
  request "$name" "$subject" "$@"
  sign "$name" "basicConstraints=CA:FALSE"$'\n'"subjectAltName=$names" "$end" -cert "$authority.pem" \
    -keyfile "$authority.key"
}

end=21191231235959Z
authority ca 'Ringway test authority'
authority other_ca 'Another authority'
leaf server ca server.test 'DNS:server.test,DNS:localhost,IP:127.0.0.1' "$end" "${key_ec[@]}"
leaf server_rsa ca server.test 'DNS:server.test,DNS:localhost,IP:127.0.0.1' "$end" "${key_rsa[@]}"
leaf wildcard ca wildcard 'DNS:*.example.test,DNS:example.test' "$end" "${key_ec[@]}"
leaf exact ca exact 'DNS:www.example.test' "$end" "${key_ec[@]}"
leaf client ca 'client one' 'email:one@client.test,DNS:one.client.test' "$end" "${key_ec[@]}"
leaf stranger other_ca stranger 'DNS:server.test' "$end" "${key_ec[@]}"
leaf expired ca server.test 'DNS:server.test' 20210101000000Z "${key_ec[@]}"

# A response of the authority about the server's certificate.
serial=$(openssl x509 -in server.pem -noout -serial)
printf 'V\t%s\t\t%s\tunknown\t/CN=server.test\n' 991231235959Z "${serial#serial=}" >"$work/index.txt"
openssl ocsp -issuer ca.pem -cert server.pem -reqout "$work/request" -no_nonce >/dev/null
openssl ocsp -index "$work/index.txt" -rsigner ca.pem -rkey ca.key -CA ca.pem -reqin "$work/request" \
  -respout server.ocsp -ndays 30000 >/dev/null
# What a client pins.
openssl x509 -in server.pem -noout -pubkey | openssl pkey -pubin -outform der | sha256sum | cut -d ' ' -f 1 >server.pin
chmod 644 ./*
