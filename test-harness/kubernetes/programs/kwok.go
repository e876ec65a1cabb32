package main

import (
	"github.com/spf13/pflag"
	"sigs.k8s.io/kwok/pkg/config"
	"sigs.k8s.io/kwok/pkg/kwok/cmd"
	"sigs.k8s.io/kwok/pkg/log"
	"sigs.k8s.io/kwok/pkg/utils/signals"
)

// kwok is the stand-in for kubelets: it moves nodes and pods through stages given by --config.
func kwok() int {
	// Every command inherits the process-wide flag set, and the Kubernetes packages linked beside
	// kwok have put a --version there whose type kwok's own lookup does not expect.
	pflag.CommandLine = pflag.NewFlagSet("kwok", pflag.ContinueOnError)

	// First pass: --config and the log flags only, everything else is left to the command.
	early := pflag.NewFlagSet("early", pflag.ContinueOnError)
	early.ParseErrorsAllowlist.UnknownFlags = true
	early.Usage = func() {}

	ctx, logger := log.InitFlags(signals.SetupSignalContext(), early)
	ctx, err := config.InitFlags(ctx, early)
	if err != nil {
		logger.Error("reading the configuration", "err", err)
		return 1
	}

	command := cmd.NewCommand(ctx)
	command.PersistentFlags().AddFlagSet(early)
	if err := command.ExecuteContext(ctx); err != nil {
		logger.Error("running", "err", err)
		return 1
	}
	return 0
}
