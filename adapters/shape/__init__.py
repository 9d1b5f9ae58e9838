"""报文形状 What both XML interfaces are made of: shapes, and all that derives from them."""
