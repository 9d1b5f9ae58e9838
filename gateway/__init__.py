"""The work-injury direct-settlement gateway 工伤保险医疗费直接结算网关."""
