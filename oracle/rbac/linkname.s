// Lets a function be declared here that another package defines.
