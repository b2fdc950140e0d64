// Command awsemu is a small AWS endpoint for demos and tests: as much of STS, EC2, IAM, S3, Secrets Manager, SQS and
// RDS as Terraform's AWS provider needs for this project's modules, on one port, for one account. Its RDS instances are real
// databases, PostgreSQL or MariaDB. README.md tells how to use it and how to add an action.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	var o options
	flag.StringVar(&o.listen, "listen", "127.0.0.1:4566", "address and port of the AWS endpoint")
	flag.StringVar(&o.dataDir, "data", "", "directory that keeps everything; made when missing (required)")
	flag.StringVar(&o.postgresListen, "postgres-listen", "127.0.0.1:5432", "address and port where RDS instances answer")
	flag.StringVar(&o.rdsHost, "rds-host", "", "address that RDS instances are said to have (default: that of --postgres-listen)")
	flag.DurationVar(&o.createDelay, "rds-create-delay", 3*time.Second, "how long a new RDS instance is `creating`")
	flag.StringVar(&o.postgresBin, "postgres-bin", "", "folder of the PostgreSQL programs (default: looked for)")
	flag.StringVar(&o.postgresURL, "postgres-url", "", "connection of a superuser to a running PostgreSQL server, which is then used instead of a private one")
	flag.StringVar(&o.mysqlListen, "mysql-listen", "127.0.0.1:3306", "address where RDS instances of MySQL answer, and the first one's port; the others have the next free ones")
	flag.StringVar(&o.mysqlBin, "mysql-bin", "", "folder of the MariaDB programs (default: looked for)")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, o)
	stop()
	if err == nil {
		return
	}
	fmt.Fprintln(os.Stderr, "awsemu:", err)
	if _, ok := errors.AsType[*setupError](err); ok {
		os.Exit(2)
	}
	os.Exit(1)
}
