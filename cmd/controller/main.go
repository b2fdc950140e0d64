// Command controller runs Groundwork's controllers.
package main

import (
	"fmt"
	"os"

	"github.com/spf13/pflag"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
)

// version is set by the linker (hack/image).
var version = "dev"

func main() {
	var o options
	o.addFlags(pflag.CommandLine)
	pflag.Parse()
	if err := o.check(pflag.Args()); err != nil {
		fmt.Fprintf(os.Stderr, "controller: %s\n", err)
		os.Exit(2)
	}
	log := zap.New(zap.Level(o.level()))
	ctrl.SetLogger(log)
	klog.SetLogger(log)
	if err := run(ctrl.SetupSignalHandler(), o); err != nil {
		log.Error(err, "The controller ends")
		os.Exit(1)
	}
}
