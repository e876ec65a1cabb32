//! Differential fuzzing of the embedded Kubernetes API: the same requests to it and to a real kube-apiserver, answers
//! compared whole.
//!
//! A sequence ([`plan`]) is made up request by request out of the schemas of the kinds ([`generate`]) and of what the
//! real server last showed, so it is guided to states that exist; its seed repeats it. Both servers stand alone, without
//! controllers ([`pair`]). Their answers are compared ([`compare`]) after what differs between any two servers has become
//! tokens ([`normal`]). A difference is shrunk ([`shrink`]) and becomes a contract case.
//!
//! Where the two differ, the embedded API is wrong, but for what [`deliberate`] excuses by name. Each excuse covers one
//! rule, told by the field and the complaint, and a run counts what each covered. What is not generated cannot differ:
//! [`generate`] says in its tables which fields that is, and why.

pub mod arguments;
pub mod compare;
pub mod deliberate;
pub mod dice;
pub mod generate;
pub mod kinds;
pub mod normal;
pub mod pair;
pub mod plan;
pub mod run;
pub mod server;
pub mod shrink;
pub mod step;
