// Package arguments reads the form of command lines that people type: flags with one dash, anywhere.
package arguments

import (
	"fmt"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/serverless-scim/serverless-scim/pkg/app/cli/call"
)

// Arrange puts arguments into the form that kong takes: words first, then flags with two dashes and their values joined
// by "=". So flags may come before the command that they belong to, and begin with one dash. It also returns their
// names. The flag -version is the command of that name. The error is a call.UsageError.
func Arrange(args []string, model *kong.Application) (arranged []string, given map[string]bool, err error) {
	flags := flagsOf(model.Node, map[string]bool{"version": false})
	var words, out, rest []string
	given = map[string]bool{}
	for i := 0; i < len(args); i++ {
		arg := args[i]
		if arg == "--" {
			rest = args[i:]
			break
		}
		if arg == "-" || !strings.HasPrefix(arg, "-") {
			words = append(words, arg)
			continue
		}
		name, value, joined := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(arg, "-"), "-"), "=")
		if name == "h" {
			name = "help"
		}
		valued, known := flags[name]
		switch {
		case !known:
			return nil, nil, call.UsageError("there is no flag -" + name)
		case given[name]:
			return nil, nil, call.UsageError("-" + name + " is given twice")
		case valued && !joined:
			if i++; i == len(args) {
				return nil, nil, call.UsageError("-" + name + " needs a value")
			}
			value, joined = args[i], true
		}
		if other, negates := strings.CutPrefix(name, "no-"); negates && given[other] || given["no-"+name] {
			other = strings.TrimPrefix(name, "no-")
			return nil, nil, call.UsageError("-" + other + " and -no-" + other + " are both given")
		}
		given[name] = true
		if joined {
			value = "=" + value
		}
		out = append(out, "--"+name+value)
	}
	if given["version"] {
		if len(words) > 0 {
			return nil, nil, call.UsageError("-version allows no other arguments")
		}
		out = slices.DeleteFunc(out, func(flag string) bool { return flag == "--version" })
		words = []string{"version"}
	}
	words, err = checked(words, rest, model)
	return slices.Concat(words, out, rest), given, err
}

// checked refuses words that no command takes, and turns "help COMMAND" into the request for that command's help.
func checked(words, rest []string, model *kong.Application) ([]string, error) {
	if slices.Contains(words, "") || slices.Contains(rest, "") {
		return nil, call.UsageError("an argument is empty")
	}
	if len(words) == 0 {
		return nil, nil
	}
	if words[0] == "help" {
		return append(words[1:], "--help"), nil
	}
	var names []string
	for _, child := range model.Children {
		names = append(names, child.Name)
	}
	if !slices.Contains(names, words[0]) {
		return nil, call.UsageError(fmt.Sprintf("there is no command %s: there are %s", words[0],
			strings.Join(names, ", ")))
	}
	return words, nil
}

// flagsOf adds the flags of a command and all below it to known: whether they take a value.
func flagsOf(node *kong.Node, known map[string]bool) map[string]bool {
	for _, f := range node.Flags {
		known[f.Name] = !f.IsBool()
		if f.Tag.Negatable != "" {
			known["no-"+f.Name] = false
		}
	}
	for _, child := range node.Children {
		flagsOf(child, known)
	}
	return known
}
