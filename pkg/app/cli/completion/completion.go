// Package completion writes scripts by which shells complete commands and flags.
package completion

import (
	"fmt"
	"io"
	"strings"

	"github.com/alecthomas/kong"
)

// Print writes the script for a shell, bash, zsh or fish, that completes the commands below root. It holds all commands
// and flags: it does not call the program again.
func Print(out io.Writer, shell string, root *kong.Node) {
	if shell == "fish" {
		fmt.Fprintln(out, "complete -c local -f")
		fish(out, root, nil)
		return
	}
	if shell == "zsh" {
		fmt.Fprintln(out, "autoload -U +X bashcompinit && bashcompinit")
	}
	fmt.Fprint(out, `_local() {
	local word path="" current="${COMP_WORDS[COMP_CWORD]}" words=""
	for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
		case "$word" in -*) ;; *) path="$path $word" ;; esac
	done
	while :; do
		case "$path" in
`)
	bash(out, root, "")
	fmt.Fprint(out, `		"") break ;;
		*) path="${path% *}"; continue ;;
		esac
		break
	done
	COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _local local
`)
}

// bash prints a case for a command and each below it.
func bash(out io.Writer, node *kong.Node, path string) {
	words := completions(node)
	fmt.Fprintf(out, "\t\t%q) words=%q ;;\n", path, strings.Join(words, " "))
	for _, child := range node.Children {
		bash(out, child, path+" "+child.Name)
	}
}

// fish prints a line for each command and flag.
func fish(out io.Writer, node *kong.Node, path []string) {
	condition := "__fish_use_subcommand"
	if len(path) > 0 {
		var seen []string
		for _, name := range path {
			seen = append(seen, "__fish_seen_subcommand_from "+name)
		}
		condition = strings.Join(seen, "; and ")
	}
	for _, child := range node.Children {
		fmt.Fprintf(out, "complete -c local -n %q -a %s -d %q\n", condition, child.Name, child.Help)
		fish(out, child, append(path, child.Name))
	}
	for _, f := range node.Flags {
		fmt.Fprintf(out, "complete -c local -n %q -l %s -d %q\n", condition, f.Name, f.Help)
	}
}

// completions are the words that may follow a command: its commands and flags, and those of its default command.
func completions(node *kong.Node) []string {
	var words []string
	for _, child := range node.Children {
		words = append(words, child.Name)
	}
	for _, f := range node.Flags {
		words = append(words, "-"+f.Name)
	}
	if node.DefaultCmd != nil {
		for _, f := range node.DefaultCmd.Flags {
			words = append(words, "-"+f.Name)
		}
	}
	return words
}
