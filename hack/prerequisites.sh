#!/usr/bin/env bash
# Installs what the tests need beside Go and is missing: the server programs of
# PostgreSQL and MariaDB, for the databases that hack/awsemu makes. hack/cluster
# installs what it needs itself; Terraform and providers are looked up or fetched where
# they are used.
set -euo pipefail

missing=()
if ! compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null && ! command -v postgres >/dev/null; then
	missing+=(postgresql)
fi
PATH="$PATH:/usr/sbin"
if ! command -v mariadbd >/dev/null || ! command -v mariadb-install-db >/dev/null || ! command -v my_print_defaults >/dev/null; then
	# The programs alone: the package mariadb-server would start a server.
	missing+=(mariadb-server-core mariadb-client-core)
fi
if [[ ${#missing[@]} == 0 ]]; then
	exit 0
fi
if [[ $(id -u) != 0 ]] || ! command -v apt-get >/dev/null; then
	echo "server programs are missing: install ${missing[*]} (these are Debian's packages) and run this again" >&2
	exit 2
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# PostgreSQL's package would make a database cluster of its own, which is not wanted.
mkdir -p /etc/postgresql-common
[[ -e /etc/postgresql-common/createcluster.conf ]] || echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf
apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
