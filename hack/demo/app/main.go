// Command app is the app of the demo and of the e2e tests: it signs in to the
// database that DATABASE_URL names, asks it who it is, and stays ready as long as
// it answers.
package main

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

func main() {
	if err := serve(context.Background(), os.Getenv("DATABASE_URL"), ":8080"); err != nil {
		log.Fatal(err)
	}
}

func serve(ctx context.Context, url, address string) error {
	pool, err := pgxpool.New(ctx, url)
	if err != nil {
		// The error quotes the URL, and so the password.
		return fmt.Errorf("DATABASE_URL is not a PostgreSQL connection string")
	}
	defer pool.Close()
	if err := greet(ctx, pool); err != nil {
		return err
	}
	http.HandleFunc("/ready", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
		defer cancel()
		if err := pool.Ping(ctx); err != nil {
			http.Error(w, "the database does not answer", http.StatusServiceUnavailable)
		}
	})
	return http.ListenAndServe(address, nil)
}

// greet writes to the log what the database says of itself.
func greet(ctx context.Context, pool *pgxpool.Pool) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	var user, database, version string
	err := pool.QueryRow(ctx, "SELECT current_user, current_database(), split_part(version(), ' on ', 1)").Scan(&user, &database, &version)
	if err != nil {
		return fmt.Errorf("ask the database: %w", err)
	}
	log.Printf("SELECT answered: I am %s on database %s, %s", user, database, version)
	return nil
}
