// Package breakglass owns the rules of access for a time: who may ask for which role on which system, when access that was given
// begins and ends, what somebody effectively has, and who looks at what was done with it. It never gives or takes any.
package breakglass
