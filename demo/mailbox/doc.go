// Package mailbox owns where the demo's messages arrive: a mail server and the hook of a chat, both on this machine, and a page that
// shows what came. It never passes anything on, and knows nothing of the portal.
package mailbox
