//go:build tools

package main

// Helm's command is a main package, which a program cannot import. Naming it here, behind a build tag
// that is never set, keeps its module in go.mod, so that Helm is built from the same pins.
import _ "helm.sh/helm/v3/cmd/helm"
