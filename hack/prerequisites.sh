#!/usr/bin/env bash
# Installs what the tests need beside Go and is missing: PostgreSQL's server, for
# the databases that hack/awsemu makes. hack/cluster installs what it needs itself;
# Terraform and providers are looked up or fetched where they are used.
set -euo pipefail

if compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null || command -v postgres >/dev/null; then
	exit 0
fi
if [[ $(id -u) != 0 ]] || ! command -v apt-get >/dev/null; then
	echo "PostgreSQL's server programs are missing: install them (Debian: apt-get install postgresql) and run this again" >&2
	exit 2
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# The package's own cluster is not wanted: only its programs.
mkdir -p /etc/postgresql-common
[[ -e /etc/postgresql-common/createcluster.conf ]] || echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf
apt-get install -y -qq --no-install-recommends postgresql >/dev/null
