// Command control-plane is a whole Kubernetes control plane in one executable, for tests.
//
// Six programs share almost all of their code, so linking them once keeps the build, the disk and
// the page cache three times smaller than six executables would. Which program runs is decided by
// the name of the link that started it: "etcd", "kube-apiserver" and so on.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	_ "time/tzdata" // CronJobs name time zones, and a bare machine may have no zone files.

	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
)

// programs maps the name of a link to what it runs; each entry returns the exit code.
var programs = map[string]func() int{
	"etcd":                    etcd,
	"kube-apiserver":          func() int { return cli.Run(apiserver.NewAPIServerCommand()) },
	"kube-controller-manager": func() int { return cli.Run(controllermanager.NewControllerManagerCommand()) },
	"kube-scheduler":          func() int { return cli.Run(scheduler.NewSchedulerCommand()) },
	"kubectl":                 kubectl,
	"kwok":                    kwok,
}

func main() {
	name := filepath.Base(os.Args[0])
	program, known := programs[name]
	if !known {
		fmt.Fprintf(os.Stderr, "%s is none of the programs in here; start it through a link named %s\n", name, names())
		os.Exit(2)
	}
	os.Exit(program())
}

func names() string {
	all := make([]string, 0, len(programs))
	for name := range programs {
		all = append(all, name)
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

// etcd leaves through os.Exit when it fails and returns when it was asked to stop.
func etcd() int {
	etcdmain.Main(os.Args)
	return 0
}
