// Package overview is the operator's page of a local server: all tenants, the state of each, and a door to the pages of
// its administrator. It asks for no session. Whoever serves it decides who may see it.
package overview
