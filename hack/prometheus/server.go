package main

import (
	"context"
	"errors"
	"io"
	"math"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
)

// server is Prometheus' database and its query engine.
type server struct {
	db     *tsdb.DB
	engine *promql.Engine
	parser parser.Parser
}

// open makes a database in an empty folder.
func open(dir string) (*server, error) {
	db, err := tsdb.Open(dir, nil, nil, tsdb.DefaultOptions(), nil)
	if err != nil {
		return nil, err
	}
	language := parser.NewParser(parser.Options{})
	// The limits are Prometheus' defaults.
	engine := promql.NewEngine(promql.EngineOpts{
		MaxSamples: 50_000_000, Timeout: 2 * time.Minute, LookbackDelta: 5 * time.Minute,
		EnableAtModifier: true, EnableNegativeOffset: true, Parser: language,
	})
	return &server{db: db, engine: engine, parser: language}, nil
}

func (s *server) close() { _ = errors.Join(s.engine.Close(), s.db.Close()) }

// add stores a scrape, and up, as Prometheus does: a label that the target has too gives
// way to Prometheus' own, and is renamed.
func (s *server) add(ctx context.Context, sc scrape) error {
	p, err := textparse.New([]byte(sc.Text), "text/plain", labels.NewSymbolTable(), textparse.ParserOptions{})
	if err != nil {
		return err
	}
	app := s.db.Appender(ctx)
	add := func(of labels.Labels, value float64) error {
		b := labels.NewBuilder(of)
		for name, value := range sc.Labels {
			if own := of.Get(name); own != "" {
				b.Set("exported_"+name, own)
			}
			b.Set(name, value)
		}
		_, err := app.Append(0, b.Labels(), sc.At.UnixMilli(), value)
		return err
	}
	err = errors.Join(series(p, add), add(labels.FromStrings(labels.MetricName, "up"), 1))
	if err != nil {
		return errors.Join(err, app.Rollback())
	}
	return app.Commit()
}

// series calls add for each series of a scrape.
func series(p textparse.Parser, add func(labels.Labels, float64) error) error {
	for {
		entry, err := p.Next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case entry != textparse.EntrySeries:
			continue
		}
		var of labels.Labels
		p.Labels(&of)
		_, _, value := p.Series()
		if err := add(of, value); err != nil {
			return err
		}
	}
}

// answers answers the queries as of the last scrape.
func (s *server) answers(ctx context.Context, r request) []answer {
	at := r.Scrapes[len(r.Scrapes)-1].At
	answers := make([]answer, len(r.Queries))
	for i, query := range r.Queries {
		a := answer{Query: query}
		err := func() (err error) {
			expr, err := s.parser.ParseExpr(query)
			if err != nil {
				return err
			}
			if a.Series, err = s.count(ctx, query, at); err != nil {
				return err
			}
			a.Data, err = s.count(ctx, compared(expr).String(), at)
			return err
		}()
		if err != nil {
			a.Error = err.Error()
		}
		answers[i] = a
	}
	return answers
}

// compared is what an alert's expression compares with a number, or looks for the
// absence of; of two that both have to hold, what both have.
func compared(expr parser.Expr) parser.Expr {
	switch e := expr.(type) {
	case *parser.ParenExpr:
		return compared(e.Expr)
	case *parser.BinaryExpr:
		if _, number := e.RHS.(*parser.NumberLiteral); number && e.Op.IsComparisonOperator() {
			return compared(e.LHS)
		}
		if e.Op == parser.LAND {
			both := *e
			both.LHS, both.RHS = compared(e.LHS), compared(e.RHS)
			return &both
		}
	case *parser.Call:
		if e.Func.Name == "absent" {
			return compared(e.Args[0])
		}
	}
	return expr
}

// count is the number of series that a query returns, without those that are no number.
func (s *server) count(ctx context.Context, query string, at time.Time) (int, error) {
	vector, err := s.vector(ctx, query, at)
	n := 0
	for _, sample := range vector {
		if !math.IsNaN(sample.F) {
			n++
		}
	}
	return n, err
}

func (s *server) vector(ctx context.Context, query string, at time.Time) (promql.Vector, error) {
	q, err := s.engine.NewInstantQuery(ctx, storage.Queryable(s.db), nil, query, at)
	if err != nil {
		return nil, err
	}
	defer q.Close()
	vector, err := q.Exec(ctx).Vector()
	// The engine takes the vector back when the query is closed.
	return append(promql.Vector(nil), vector...), err
}
