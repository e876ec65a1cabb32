//! The outhaul command: enrolment and status, over the REST interface of the hub.
