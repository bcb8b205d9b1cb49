#!/bin/sh
# Passwords for one site, for deploy/.env: nobody has typed them, and no other site has them.
set -eu
password() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }
umask 077
for name in POSTGRES_PASSWORD REDIS_PASSWORD DEEP3D_ADMIN_PASSWORD; do
    echo "$name=$(password)"
done
