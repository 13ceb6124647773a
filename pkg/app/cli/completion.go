package cli

import (
	"fmt"
	"strings"

	"github.com/alecthomas/kong"
)

type completionCmd struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

// Help is the end of the command's help.
func (*completionCmd) Help() string {
	return `For a program called local: source <(local completion bash), the same with zsh, or local completion fish |` +
		` source`
}

// Run prints the script. It holds all commands and flags: it does not call the program again.
func (c *completionCmd) Run(s *session) error {
	if c.Shell == "fish" {
		fmt.Fprintln(s.Out, "complete -c local -f")
		fish(s, s.model.Node, nil)
		return nil
	}
	if c.Shell == "zsh" {
		fmt.Fprintln(s.Out, "autoload -U +X bashcompinit && bashcompinit")
	}
	fmt.Fprint(s.Out, `_local() {
	local word path="" current="${COMP_WORDS[COMP_CWORD]}" words=""
	for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
		case "$word" in -*) ;; *) path="$path $word" ;; esac
	done
	while :; do
		case "$path" in
`)
	bash(s, s.model.Node, "")
	fmt.Fprint(s.Out, `		"") break ;;
		*) path="${path% *}"; continue ;;
		esac
		break
	done
	COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _local local
`)
	return nil
}

// bash prints a case for a command and each below it.
func bash(s *session, node *kong.Node, path string) {
	words := completions(node)
	fmt.Fprintf(s.Out, "\t\t%q) words=%q ;;\n", path, strings.Join(words, " "))
	for _, child := range node.Children {
		bash(s, child, path+" "+child.Name)
	}
}

// fish prints a line for each command and flag.
func fish(s *session, node *kong.Node, path []string) {
	condition := "__fish_use_subcommand"
	if len(path) > 0 {
		var seen []string
		for _, name := range path {
			seen = append(seen, "__fish_seen_subcommand_from "+name)
		}
		condition = strings.Join(seen, "; and ")
	}
	for _, child := range node.Children {
		fmt.Fprintf(s.Out, "complete -c local -n %q -a %s -d %q\n", condition, child.Name, child.Help)
		fish(s, child, append(path, child.Name))
	}
	for _, f := range node.Flags {
		fmt.Fprintf(s.Out, "complete -c local -n %q -l %s -d %q\n", condition, f.Name, f.Help)
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
