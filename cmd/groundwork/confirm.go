package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// confirm asks a person to agree, with yes not. It fails when they do not, or when
// there is nobody to ask.
func confirm(c *cobra.Command, yes bool, question string) error {
	if yes {
		return nil
	}
	if file, ok := c.InOrStdin().(*os.File); ok && !term.IsTerminal(int(file.Fd())) {
		return misused(errors.New("there is no terminal to ask on: pass --yes to agree beforehand"))
	}
	fmt.Fprintf(c.ErrOrStderr(), "%s [y/N] ", question)
	answer, err := bufio.NewReader(c.InOrStdin()).ReadString('\n')
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return nil
	case "", "n", "no":
		return errors.New("nothing was changed")
	}
	return errors.Join(fmt.Errorf("got the answer %q, wanted y or n; nothing was changed", strings.TrimSpace(answer)), err)
}
