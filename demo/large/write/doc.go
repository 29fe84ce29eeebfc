// Command write writes the large catalogue to a file that "keyholder catalog apply" takes.
package main
