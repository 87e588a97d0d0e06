#!/bin/sh
# postgres.sh make FOLDER | tls FOLDER | run FOLDER | pool FOLDER: a PostgreSQL of a test's own in
# FOLDER/data, with its socket in FOLDER and more settings in FOLDER/test.conf. `tls` makes certificates,
# `run` becomes the server, `pool` a PgBouncer in front of it, in transaction mode, with its socket in
# FOLDER/pool; both end with their parent. As root they run as the user nobody, whom FOLDER then
# belongs to.
set -eu
dir=$2
PATH=$PATH:$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
case $(id -u) in
0) user="--reuid nobody --regid nogroup --clear-groups" ;;
*) user= ;;
esac

case $1 in
make)
    [ -z "$user" ] || chown nobody "$dir"
    chmod 755 "$dir"
    cd "$dir"
    LC_ALL=C setpriv $user initdb -D "$dir/data" -U errand -A trust -E UTF8 --no-locale --no-sync \
        --no-instructions >/dev/null
    touch test.conf
    [ -z "$user" ] || chown nobody test.conf
    printf "include '%s/test.conf'\n" "$dir" >>"$dir/data/postgresql.conf"
    ;;
tls)
    sh "$(dirname "$0")/ca.sh" "$dir"
    cd "$dir"
    chmod 600 server.key
    [ -z "$user" ] || chown nobody server.key server.pem
    ;;
run)
    cd "$dir"
    exec setpriv $user --pdeathsig QUIT postgres -D "$dir/data" -k "$dir" -c fsync=off >>"$dir/log" 2>&1
    ;;
pool)
    mkdir -p "$dir/pool"
    cat >"$dir/pool/ini" <<END
[databases]
postgres = host=$dir user=errand dbname=postgres
[pgbouncer]
listen_addr =
unix_socket_dir = $dir/pool
auth_type = any
pool_mode = transaction
default_pool_size = 20
max_client_conn = 500
server_lifetime = 1
END
    [ -z "$user" ] || chown -R nobody "$dir/pool"
    exec setpriv $user --pdeathsig KILL pgbouncer "$dir/pool/ini" >>"$dir/pool/log" 2>&1
    ;;
esac
